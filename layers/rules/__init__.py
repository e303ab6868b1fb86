"""Rules an inventory must keep: what is checked, how grave it is, and what people read of it."""
