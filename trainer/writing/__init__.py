"""What the stage `augment` writes rows with: three writers, what they are asked, and what decides about their texts."""
