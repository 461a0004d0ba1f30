// Numbers of a tile in shared memory, and their products, in f16 (shader-f16).

alias Tile = f16;
