// Workgroups in two dimensions: a device takes 65,535 of them in one, larger counts go on in the next line.

fn indexOf(id: vec3<u32>, count: vec3<u32>) -> u32 {
  return id.y * count.x + id.x;
}
