"""What is known of a project besides its files one by one: context for planners, specialists and people."""
