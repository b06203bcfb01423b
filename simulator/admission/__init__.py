"""What happens to an object before it may be stored: `admit` is the way in. `defaulting` fills what
the user left out, `securing` what a feature does besides; `validation` gives every reason to refuse
at once, as `fielderrors`, from the rules in `metadata_validation`, `autoscaling_validation`,
`traffic_validation`, `domain_validation`, `ingress_admission`, `podspec_validation` and, for the
parts of a pod, `container_validation`, `probe_validation` and `volume_validation`. `shortdiff` says
what changed, `freeform` reads what has no struct, `settings` holds what an operator may set.
"""
