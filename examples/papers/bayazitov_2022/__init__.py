"""Bayazitov 2022, "Distillation on multi-domain data".

Most tables of results repeat the previous one and add rows to it: tables 3, 4, 5, 6, 7 and 9 are in
``table_fashion_mnist``, 13 in ``table_imagenette``, 16, 17 and 18 in ``table_regression``, and 19
combines all of them. The other tables describe data sets and networks, which are in the scripts, so
that all tables are covered. Not available are Imagenette at the published 200 pixels (here it has
64) and the author's style image.
"""
