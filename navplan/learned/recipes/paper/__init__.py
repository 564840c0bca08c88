"""The published recipe, to the letter where its facts are known (docs/paper.md, sections 2 and 3), to compare with."""
