// A step of a product: 8 columns of a token with a block of 8 weight rows.

fn productOf(block: u32, token: u32, step: u32) -> Eight {
  let input = input8(token, step);
  return dotStep(block, step, input.low, input.high);
}
