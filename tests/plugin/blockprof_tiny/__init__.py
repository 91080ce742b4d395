"""What a package brings to blockprof by entry points."""
