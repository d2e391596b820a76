"""A world to administer, and somebody who may."""

import pytest
from django.test import Client

from tests.admin import world as worlds
from tests.admin.world import World


@pytest.fixture
def world(db: None) -> World:
    return worlds.build()


@pytest.fixture
def staff(world: World) -> Client:
    """A superuser's browser."""
    client = Client()
    client.force_login(world.staff)
    return client
