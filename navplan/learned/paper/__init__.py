"""The published recipe, to the letter where its facts are known (paper.md, sections 2 and 3), to compare navplan's own with."""
