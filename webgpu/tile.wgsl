// Numbers of a tile in shared memory.

alias Tile = f32;
