"""The lists of the console: a file for each kind of thing, with the columns of its table and of its CSV file."""
