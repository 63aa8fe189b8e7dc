"""Why something is unusable, unsure, to be reviewed or a fault: the words in which all say it, and read it again."""
