/*
 * errcodes.h
 *		SQLSTATEs of class OT: the errors that a client may want to branch on.
 */
#ifndef OT_ERRCODES_H
#define OT_ERRCODES_H

#define OT_ERRCODE_NO_ORDER MAKE_SQLSTATE('O', 'T', '0', '0', '1')
/* what is named beside orders and notes: workspace, voucher, customer, shipment, ... */
#define OT_ERRCODE_NOT_FOUND MAKE_SQLSTATE('O', 'T', '0', '0', '2')
#define OT_ERRCODE_KEY_CONFLICT MAKE_SQLSTATE('O', 'T', '0', '0', '3')
#define OT_ERRCODE_EXISTS MAKE_SQLSTATE('O', 'T', '0', '0', '4')
#define OT_ERRCODE_INVALID_ARGUMENT MAKE_SQLSTATE('O', 'T', '0', '0', '5')
/* not enough points, or a customer who may not spend them */
#define OT_ERRCODE_POINTS MAKE_SQLSTATE('O', 'T', '0', '0', '6')
/* more than there is: units to ship or to return, money to refund */
#define OT_ERRCODE_EXCEEDED MAKE_SQLSTATE('O', 'T', '0', '0', '7')
#define OT_ERRCODE_TRANSITION MAKE_SQLSTATE('O', 'T', '0', '1', '0')
#define OT_ERRCODE_IMMUTABLE MAKE_SQLSTATE('O', 'T', '0', '2', '0')
#define OT_ERRCODE_TABLES MAKE_SQLSTATE('O', 'T', '0', '3', '0')

#endif
