#pragma once

/*
 * The bodies behind the rows of fn_table.c, by the file they live in. See fn.h for
 * their shapes.
 */

#include "alertd/promql/fn.h"

fn_eval eval_absent;
fn_eval eval_absent_over_time;
fn_eval eval_clamp;
fn_eval eval_clamp_max;
fn_eval eval_clamp_min;
fn_eval eval_date;
fn_eval eval_double_exponential_smoothing;
fn_eval eval_histogram_fraction;
fn_eval eval_histogram_quantile;
fn_eval eval_info;
fn_eval eval_label_join;
fn_eval eval_label_replace;
fn_eval eval_mad_over_time;
fn_eval eval_pi;
fn_eval eval_point;
fn_eval eval_round;
fn_eval eval_scalar;
fn_eval eval_sort;
fn_eval eval_sort_by_label;
fn_eval eval_sort_by_label_desc;
fn_eval eval_sort_desc;
fn_eval eval_time;
fn_eval eval_timestamp;
fn_eval eval_vector;
fn_eval eval_window;

fn_point point_abs;
fn_point point_acos;
fn_point point_acosh;
fn_point point_asin;
fn_point point_asinh;
fn_point point_atan;
fn_point point_atanh;
fn_point point_ceil;
fn_point point_cos;
fn_point point_cosh;
fn_point point_deg;
fn_point point_exp;
fn_point point_floor;
fn_point point_ln;
fn_point point_log10;
fn_point point_log2;
fn_point point_rad;
fn_point point_sgn;
fn_point point_sin;
fn_point point_sinh;
fn_point point_sqrt;
fn_point point_tan;
fn_point point_tanh;

fn_window window_avg_over_time;
fn_window window_changes;
fn_window window_count_over_time;
fn_window window_deriv;
fn_window window_first_over_time;
fn_window window_idelta;
fn_window window_irate;
fn_window window_last_over_time;
fn_window window_max_over_time;
fn_window window_min_over_time;
fn_window window_predict_linear;
fn_window window_present_over_time;
fn_window window_quantile_over_time;
fn_window window_resets;
fn_window window_stddev_over_time;
fn_window window_stdvar_over_time;
fn_window window_sum_over_time;

fn_slide slide_avg_over_time;
fn_slide slide_delta;
fn_slide slide_increase;
fn_slide slide_max_over_time;
fn_slide slide_min_over_time;
fn_slide slide_quantile_over_time;
fn_slide slide_rate;
fn_slide slide_sum_over_time;

fn_date date_day_of_month;
fn_date date_day_of_week;
fn_date date_day_of_year;
fn_date date_days_in_month;
fn_date date_hour;
fn_date date_minute;
fn_date date_month;
fn_date date_year;
