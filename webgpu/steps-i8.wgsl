// A step of a product over int8 codes: whole numbers within it, scales of weights and activations after it.

fn productOf(block: u32, token: u32, step: u32) -> Eight {
  let codes = codesOf(token, step);
  let scale = scaleOfInput(token, step);
  let product = dotStepI8(block, step, codes.x, codes.y);
  return Eight(scale * product.low, scale * product.high);
}
