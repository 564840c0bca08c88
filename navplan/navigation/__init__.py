"""The whole flow in one call: nodes, graph, plan, execution, and planning again."""
