"""What a job of the workflow needs: its log, its record, its end."""
