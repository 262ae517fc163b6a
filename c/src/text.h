/* UTF-8 text measured in UTF-16 code units, as the protocol counts. All functions but se_text_valid expect valid UTF-8. */
#ifndef SE_TEXT_H
#define SE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool se_text_valid(const char *text, size_t length);
/* Bytes of the well-formed character at text, 0 if there is none within length. */
size_t se_text_character(const char *text, size_t length);
/* UTF-16 code units of the first `length` bytes. */
size_t se_text_units(const char *text, size_t length);
/* Byte offset of a UTF-16 offset; SE_TEXT_OUTSIDE past the end, SE_TEXT_SPLITS within a surrogate pair. */
size_t se_text_byte(const char *text, size_t length, size_t units);

#define SE_TEXT_OUTSIDE ((size_t)-1)
#define SE_TEXT_SPLITS ((size_t)-2)

#endif
