"""Worlds and where they come from: mazes, generators, file formats, scenarios, problem sets, environments.

Each part knows only those before it:

    worlds        maps as occupancy grids or polygons, and how they are made, drawn from and measured
    formats       files of other tools
    bodies        robots: kinds, sizes and limits, and what follows from them
    scenario      a world with its agents, hazard and limits, and its file, which may name a map file
    registry      the bundled scenarios by name
    maps          a world, or the graph to plan on, from a name or a file of any kind
    problems      starts and goals: from files, drawn, in fixed sets; what they cost at best
    environments  simulators of bodies in a world, and faces that load scenarios and draw problems themselves
"""
