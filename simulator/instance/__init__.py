"""One running knary: where its files are (`paths`, `folders`), the locks that make it the only
one of its folder and port (`lock`), its listening sockets (`sockets`), and the parent process of
`knary up` (`parent`), which keeps the children running (`children`, `plans`), and says so
(`terminal`, `description`, `tail`). `owner` is told and asked by who started
it. `leftovers` clears what killed instances left, `detached` runs
what nobody waits for, `options` holds the flags and bounds.
"""
