"""Rekognition's content moderation of stored videos, added to moto: the engine is pure, `door` joins it to moto's Rekognition."""
