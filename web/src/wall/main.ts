/** The start of the page wall.html. */

import "../styles/fonts.css";
import "../styles/base.css";
