"""From a file nobody knows yet to a mapping to be reviewed: names, values and place weighed, with reasons."""
