"""Recordings that controllers of body worn systems deliver in the words of OpenStack Swift."""
