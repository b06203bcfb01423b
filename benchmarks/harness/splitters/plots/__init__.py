"""Pictures of a tournament, drawn from its document alone: `drawing` draws all of them.

`style` has the colours and the labels that stand beside what they name. matplotlib is imported
here and nowhere else, with the canvases of files only.
"""
