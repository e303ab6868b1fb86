/** A short tone for a new alarm; silent until somebody wants it, for as long as the page lives. */

let context: AudioContext | null = null;

export const hasSound = (): boolean => context !== null;

/** Switch the tone on or off; browsers allow it only after a click. */
export function switchSound(on: boolean): void {
  if (on === hasSound()) return;
  if (on) {
    context = new AudioContext();
    beep();
  } else {
    void context?.close();
    context = null;
  }
}

/** Sound the tone, if it is wanted. */
export function beep(): void {
  if (!context) return;
  const at = context.currentTime;
  for (const [place, pitch] of [880, 660].entries()) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.2, at + place * 0.2);
    loudness.gain.exponentialRampToValueAtTime(0.001, at + place * 0.2 + 0.18);
    tone.connect(loudness).connect(context.destination);
    tone.start(at + place * 0.2);
    tone.stop(at + place * 0.2 + 0.2);
  }
}
