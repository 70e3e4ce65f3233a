"""The parts of an end-to-end story: clouds, catalog, oracle and dstack, each a real process."""
