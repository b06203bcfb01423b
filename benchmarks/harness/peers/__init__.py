"""The proxies that the gateway is compared with: `configurations` says what each is told (pure),
`proxies` finds, starts and ends them.
"""
