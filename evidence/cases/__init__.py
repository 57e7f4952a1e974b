"""Case files: opening, linking clips under exhibit numbers."""
