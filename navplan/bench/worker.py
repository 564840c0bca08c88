"""A process that does shards, started by `navplan.bench.processes` and killed by it at any time.

Pickles on standard input: the folder of results, then shards. Pickles on standard output, for each shard: ("stage", None)
whenever the next of its stages begins, then ("done", its document) or ("raised", its failure).
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from typing import IO, Any

from navplan.bench.shards import Failure, Workspace, do
from navplan.system.signals import ignore


def serve(tasks: IO[bytes], channel: IO[bytes]) -> None:
    """Do shards until there is no more input."""

    def say(word: str, what: Any) -> None:
        pickle.dump((word, what), channel)
        channel.flush()

    try:
        workspace = Workspace(pickle.load(tasks), next_stage=lambda: say("stage", None))
        while True:
            shard = pickle.load(tasks)
            try:
                document = do(shard, workspace)
            except Exception as error:  # whatever it is, it is this shard's alone
                say("raised", Failure.of(error))
            else:
                say("done", document)
    except EOFError:
        return


def _end_with_parent(parent: int) -> None:
    """Leave when whoever started this process is gone; a kernel that runs does not stop this thread."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> int:
    """Serve on the real standard input and output; whatever a library prints goes to standard error."""
    ignore()  # the parent hears Ctrl-C and SIGTERM, and decides
    tasks, channel = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    serve(tasks, channel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
