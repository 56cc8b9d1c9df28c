"""What BornAgainClassifier is made of."""
