"""One running knary: where its files are (`paths`), the lock that makes it the only one of its
folder (`lock`), its listening sockets (`sockets`) and the parent process (`parent`).
"""
