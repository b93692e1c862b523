"""What the rows of the comparison share: data, measuring, tables."""
