"""What is written in files becomes checked objects: recipes in strict YAML, and the parts that they name."""
