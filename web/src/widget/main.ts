/** The start of the page widget.html. */

import "../styles/fonts.css";
import "../styles/base.css";
