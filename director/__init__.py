"""Plans a task, has it done, and believes nothing but the clean room."""
