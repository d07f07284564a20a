"""What is timed, always side by side with a limit in the same run."""
