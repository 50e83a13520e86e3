"""Sources: files and pipes turned into facts and marks, row by row, with clear refusals."""
