"""One running knary: where its files are (`paths`, `folders`), the locks that make it the only
one of its folder and port (`lock`), its listening sockets (`sockets`), and the parent process of
`knary up` (`parent`), which keeps the children running (`children`, `plans`), and says so
(`terminal`, `description`, `tail`). `options` holds its flags and bounds.
"""
