"""The search for leaks in the city: which sensors measure the water network, what they read, what was found."""
