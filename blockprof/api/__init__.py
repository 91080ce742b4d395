"""One verb a command, all of the same shape: what is asked, how, where it is logged, who hears of it."""
