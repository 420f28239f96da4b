from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("videos.urls")),
]

handler400 = "videos.views.errors.bad_request"
handler403 = "videos.views.errors.forbidden"
handler404 = "videos.views.errors.not_found"
handler500 = "videos.views.errors.server_error"
