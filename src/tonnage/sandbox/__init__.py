"""The sandbox of `serve --sandbox`: an empty installation whose business clock stands still until it is advanced."""
