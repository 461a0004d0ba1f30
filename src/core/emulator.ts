// What the emulated counter source asks of the operating system: the emulator and its plugin, programs to run in it, and the
// file that the plugin writes. src/platform/emulator.ts has it.

/** QEMU user mode with our plugin. */
export interface Emulator {
  readonly file: string;
  readonly version: string;
  readonly plugin: string;
}

/** A program as the kernel would start it. */
export type Program =
  | {
      readonly kind: "elf";
      readonly path: string;
      readonly bits: 32 | 64;
      readonly machine: number;
      readonly setuid: boolean;
    }
  /** A script: its interpreter and that one's argument, if there is one. */
  | { readonly kind: "script"; readonly path: string; readonly interpreter: readonly string[] }
  | { readonly kind: "unusable"; readonly problem: string; readonly remedy: string };

/** Text that has been appended to the plugin's files since the last call; a line may be cut. */
export interface Appended {
  /** The program's own file is "", a child's is its pid. */
  readonly process: string;
  readonly text: string;
}

/** A folder for the files of one run. */
export interface EmulatorFiles {
  /** Path for `out=`. */
  readonly path: string;
  read(): readonly Appended[];
  remove(): void;
}

export interface EmulatorHost {
  /** ELF machine number of this host: what runs here unemulated. */
  readonly machine: number;
  /** Throws UnavailableError that says what to install. */
  find(): Emulator;
  /** Looks a program up as a shell would. */
  program(file: string): Program;
  files(): EmulatorFiles;
}
