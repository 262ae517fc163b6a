/* Random names. */
#ifndef SE_IDS_H
#define SE_IDS_H

#include <stdbool.h>
#include <stddef.h>

enum { SE_REPLICA_ID_ROOM = 33, SE_UUID_ROOM = 37 };

/* 32 lowercase hexadecimal digits of 128 random bits. False if the system gave no random bytes. */
bool se_replica_id(char out[SE_REPLICA_ID_ROOM]);
/* A random (version 4) UUID. */
bool se_uuid(char out[SE_UUID_ROOM]);
/* Of a workspace: 1 to 128 characters of A-Z a-z 0-9 . _ ~ : - */
bool se_id_valid(const char *text);
/* Of a document: 1 to 256 bytes of UTF-8, no control characters, no white space at either end. */
bool se_document_id_valid(const char *text);
/* A random fraction of 0 to 1 for jitter; 0.5 without random bytes. */
double se_random_fraction(void);

#endif
