"""What happens to an object before it may be stored: `admit` is the way in. `defaulting` fills what
the user left out, `validation` (with `podspec_validation`, `container_validation`,
`volume_validation`, `traffic_validation`, `autoscaling_validation` and `metadata_validation`)
gives every reason to refuse at once, as `fielderrors`; `shortdiff` words what changed.
"""
