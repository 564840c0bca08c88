from __future__ import annotations

from navplan.viewer.playback import SPEEDS, Playback


def state(playback: Playback) -> tuple[float, bool]:
    return playback.time, playback.playing


def test_what_played_plays_another_motion_from_its_start() -> None:
    playback = Playback(8)
    playback.pass_time(0.5)
    playback.wait()
    playback.wait()  # what is waited for comes later: what was left is not forgotten
    assert state(playback) == (0.0, False)
    playback.change(3)
    playback.resume()
    assert state(playback) == (0.0, True)
    playback.pass_time(9.0)
    playback.resume()  # nothing waits any more
    assert state(playback) == (3.0, False)


def test_what_was_paused_stands_where_it_was_or_at_the_new_end() -> None:
    for paused, steps, expected in ((2.5, 8, 2.5), (2.5, 2, 2.0), (6.0, 9, 9.0), (2.5, 0, 0.0)):
        playback = Playback(6)
        playback.pause_at(paused)
        playback.wait()
        playback.change(steps)
        playback.resume()
        assert state(playback) == (expected, False)


def test_nothing_plays_where_nothing_moves() -> None:
    playback = Playback(0)
    playback.toggle()
    playback.restart()
    playback.step(1)
    playback.pass_time(1.0)
    assert state(playback) == (0.0, False)


def test_speed_is_one_of_the_speeds() -> None:
    playback = Playback(100)
    for speed in SPEEDS[SPEEDS.index(1.0) + 1 :]:
        playback.faster(1)
        assert playback.speed == speed
    playback.faster(1)
    playback.pass_time(0.5)
    assert playback.time == 32.0
