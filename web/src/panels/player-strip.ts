/** The stage of the river over the time slider; its program and words come with the first flood that has a gauge. */

import "../styles/desk.css";
import "../styles/player.css";
import { stageStrip } from "../flood/strip";
import { addWords } from "../i18n";
import { deskEn } from "../i18n/desk-en";
import { deskVi } from "../i18n/desk-vi";

addWords({ vi: deskVi, en: deskEn });

export const playerStrip = stageStrip;
