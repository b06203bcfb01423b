"""Documents for people: pages of one file that need no network and no script.

`markup` writes elements and escapes what is in them, `plots` draws SVG from numbers, `page` is what
all pages share, and each kind of document has a module. All pure.
"""
