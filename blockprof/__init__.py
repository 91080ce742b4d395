"""Profile the building blocks of mobile neural architecture search spaces."""
