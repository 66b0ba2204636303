"""What runs a study: configuration, jobs and their times; no numerics."""
