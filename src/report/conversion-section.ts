// What a conversion wrote, and what rounding cost by class of tensors.

import { ABSENT, bytesText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";

/** What src/cli/parts/conversion.ts gives. */
export interface ConvertedModel {
  readonly input: string;
  readonly output: string;
  readonly form: string;
  readonly inputBytes: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly loss: readonly {
    readonly name: string;
    readonly form: string;
    readonly tensors: number;
    readonly maxError: number;
    readonly relativeL2: number;
  }[];
}

const small = (value: number): string => (value === 0 ? "exact" : value.toExponential(2));

export function conversionSections(found: ConvertedModel): Section[] {
  return [fileSection(found), lossSection(found)].map(withoutDefaults);
}

function fileSection({ input, output, form, inputBytes, files }: ConvertedModel): Section {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    title: `${input} as ${form} in ${output}: ${bytesText(inputBytes)} before, ${bytesText(total)} after`,
    columns: [left("file"), right("size")],
    rows: files.map(({ name, bytes }) => [name, bytesText(bytes)]),
    notes: [],
  };
}

function lossSection({ loss }: ConvertedModel): Section {
  const rows = loss.map(({ name, form, tensors, maxError, relativeL2 }) => [
    name,
    form,
    String(tensors),
    small(maxError),
    small(relativeL2),
  ]);
  const lossy = loss.filter(({ maxError }) => maxError > 0).length;
  const note =
    lossy === 0
      ? "Every value is the same as before."
      : "max error: of |after - before|; relative L2: norm of the difference over the norm of the values.";
  const columns = [left("tensors"), left("form"), right("count"), right("max error"), right("relative L2", ABSENT)];
  return { title: "What rounding cost", columns, rows, notes: [note] };
}
